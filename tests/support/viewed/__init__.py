"""What the tests of the command `view` share: the running command, a browser, and an application whose traces it shows."""

from viewed.browser import Browser, Page, no_browser
from viewed.exporting import Exporting
from viewed.running import Viewing, fetch, viewing

__all__ = ["Browser", "Exporting", "Page", "Viewing", "fetch", "no_browser", "viewing"]

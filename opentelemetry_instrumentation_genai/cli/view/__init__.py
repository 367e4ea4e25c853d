"""The command `view`: a page on loopback that shows the spans that applications export to it.

`receiver` takes exports, `records` decodes them, `summary` reads what the conventions name, `store` and `traces` keep it in SQLite,
`queries` and `messages` read it again, `pages` answers the browser, and `command` runs all of it until it is interrupted.
"""

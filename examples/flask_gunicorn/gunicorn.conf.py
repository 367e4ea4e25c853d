"""The settings of gunicorn, which reads this file by itself."""

import os

bind = f"127.0.0.1:{os.environ['WEB_PORT']}"
workers = 2
# The application is imported once, before the workers are forked.
preload_app = True
# A worker that hangs is ended and replaced after so many seconds; when all end, a request has so many to end itself.
timeout = 30
graceful_timeout = 10
loglevel = "warning"
# No socket in your home to control it by.
control_socket_disable = True

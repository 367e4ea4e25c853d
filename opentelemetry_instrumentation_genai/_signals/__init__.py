"""What records the signals of a call: metrics, events, rate limits; and the module that builds them."""

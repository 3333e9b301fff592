"""A loopback Slack server on 127.0.0.1 for the real bolt app and the real worker."""

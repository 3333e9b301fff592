"""The playground's part of what all platforms promise; its page has tests in a real browser."""

"""The playground's harness for the contract of all platforms; `tests/browser` tests its page."""

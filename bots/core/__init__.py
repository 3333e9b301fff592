"""What every platform shares: commands, use cases, replies, and every sentence a member reads.

Must never know a platform's SDK. One use case is one function that takes a `Command` and gives a `Reply`.
"""

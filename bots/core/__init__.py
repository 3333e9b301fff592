"""What every platform shares: commands, use cases, replies, and every sentence a member reads.

Must never import a platform SDK. `command_parser` reads text into a `Command`, `CommandHandler`
runs a command and returns a `Reply`, `cards` renders a job's message, `locales` has the sentences.
"""

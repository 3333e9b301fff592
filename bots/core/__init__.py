"""What every platform shares: commands, use cases, replies, and every sentence a member reads.

Must never know a platform's SDK. `grammar` reads text into a `Command`; `Studio.answer` carries a
command out and gives a `Reply`; `cards` draws a job's message; `sentences` speaks en and fr.
"""

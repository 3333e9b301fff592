"""What `atelier doctor` looks at: each module is one part of an installation, each check one line.

A check never raises for what it finds: that it finds something wrong is its result.
"""

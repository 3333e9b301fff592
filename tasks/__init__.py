"""Jobs and capacity: everything between a member's command and the posted picture.

Layers, top to bottom: `bench`, then the processes (`client`, `worker`, `maintenance`), then
`planner`, `admission` and `delivery`, then `store`, `runtime`, and the pure packages `queue`,
`policy` and `jobs`. A module imports only from its own layer or from one below it. No chat SDK is
imported anywhere in this package.
"""

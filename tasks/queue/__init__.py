"""The order of jobs: fair queueing, position in line, costs, load and wait estimates. Pure.

The same rules run in Postgres (`tasks/store/sql`) and in the planner. Imports no database.
"""

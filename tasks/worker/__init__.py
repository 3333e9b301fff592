"""The worker process: leases jobs, renders them, stores the pictures. Imports no chat platform."""

"""What can be done with a site, one use case a file, callable from Python: write, redo, try, plan, status.

Nothing here prints or reads a terminal: that is `cli/`. How a plan is carried out on the graph is in `graph/runs.py`.
"""

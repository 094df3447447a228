"""Numbers to judge by: of results (intervals, gaps closed, the reading rule, what went wrong where) and of plates."""

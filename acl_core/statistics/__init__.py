"""What the final measurement needs beyond a number: intervals, gaps closed, the reading rule, what went wrong where."""

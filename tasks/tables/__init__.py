"""The tables and figures of the paper: which cells they need, how these are run, what they say, and the page."""

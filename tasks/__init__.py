"""What runs and whether: DVC stages, tracking, workspaces and the command line. Imports acl_core, never flows."""

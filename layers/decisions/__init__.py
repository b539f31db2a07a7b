"""What people decided, appended and never overwritten: what a strike hit, which records are one."""

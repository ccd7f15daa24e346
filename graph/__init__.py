"""Run configs compiled into explicit dependency graphs. Pure: starts nothing, imports no provider."""

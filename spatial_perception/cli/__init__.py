"""The command line `spatial-perception`: parse, build, call."""

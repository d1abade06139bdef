"""Runs benchmarks: ours and theirs in turn, each run in a fresh process, medians with spread."""

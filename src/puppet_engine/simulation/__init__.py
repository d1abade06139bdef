"""Many agents under a virtual clock: seeded, replayable, with faults, and a report of it all."""

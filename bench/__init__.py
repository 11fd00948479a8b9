"""The bench: the desk's work beside what a user would pick instead, in one run. See docs/performance.md."""

"""The tamper lab: logs that somebody tampered with, and honest ones, by the thousand; what is found must be right where it is."""

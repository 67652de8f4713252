"""The command `pack`: scenario, tables and recording in one sealed file, and its reader."""

"""The commands `backup` and `restore`: a campaign as it stood at one commit, while it works, and a run folder of it.

A backup is a folder: `backup.json` with a seal over what it says, and the files of a run as far as that commit. Imports
`sources` and what is below; no other command. The agent neither knows of it nor waits for it.
"""

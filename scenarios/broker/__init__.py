"""The brokers that we start: the embedded one and Mosquitto, their users and what each may say; a broker's URL.

Also the troubled network before a broker. Touches processes, sockets and the files of users; imports `settings` alone.
"""

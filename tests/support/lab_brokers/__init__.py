"""Brokers as labs have them, which a campaign finds and does not start.

Mosquitto with every kind of listener, and RabbitMQ with its MQTT plug-in; and what each can do, asked by raw clients.
"""

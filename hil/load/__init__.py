"""Load for the benches: thousands of cheap MQTT 3.1.1 clients, on loopback, for a while."""

"""A Kafka cluster on one machine: for development, for tests and for the demonstration over real brokers."""

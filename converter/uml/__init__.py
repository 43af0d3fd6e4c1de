"""UML as frozen values: what every reader returns and ``describe`` takes."""

"""UML as frozen values: the output of every reader and the input of ``describe``. Import ``elements`` as ``uml``."""

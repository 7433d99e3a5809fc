"""Why pods do not become available: ``problems`` reads pods and events, ``summary`` says it in a sentence."""

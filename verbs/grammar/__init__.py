"""The grammar that all verbs share: naming the fleet, common options, completion of paths. No verb of its own."""

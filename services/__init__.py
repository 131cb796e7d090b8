"""The BentoML services: transport and validation; everything else is the library's."""

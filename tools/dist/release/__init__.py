"""What a release consists of, one module for each kind of artefact."""

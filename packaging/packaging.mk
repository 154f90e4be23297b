# Packages are built here; see packaging/README.md.

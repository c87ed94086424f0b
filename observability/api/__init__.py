"""The programs' door to the ledger, and what every API door reads with: strict queries, pages by cursor."""

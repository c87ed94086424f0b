"""Invoice to payment: four agent programs, and the pure rules of reading, matching, checking and paying."""

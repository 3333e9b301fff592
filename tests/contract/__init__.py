"""What every platform's room owes its members, said once and tried on each of them."""

"""What needs several rooms: each a thin composition of them."""

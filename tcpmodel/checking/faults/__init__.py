"""What a capture may have done to the traffic: explanations of second rank."""

"""What a text must be like before it may leave: weight, house rules, repetition and safety."""

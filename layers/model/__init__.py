"""What a record is: the nouns, their field types, EDTF times, and what is reported when one is wrong."""

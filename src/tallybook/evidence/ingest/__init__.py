"""The only code that meets untrusted bytes: everything it lets through is text, numbers and dates of known form."""

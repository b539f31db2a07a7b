"""The forms that features are answered in, one module a form, and which of them a request asks for."""

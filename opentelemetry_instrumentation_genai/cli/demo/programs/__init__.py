"""The programs of the demonstration, a module for each SDK: applications as others write them."""

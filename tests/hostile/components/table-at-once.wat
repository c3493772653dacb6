;; Asks for a table of a hundred million elements before anything runs.
(table $huge 100000000 funcref)

;; A module of two memories.
(memory 1)

;; Never comes to an end of its start function, which runs before any call.
(func $forever (loop (br 0)))
(start $forever)

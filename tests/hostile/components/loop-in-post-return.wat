;; Answers, and loops where it should only give back the memory of its answer.
(func $post-head (param i32) (loop (br 0)))

;; Loops in instructions that move a megabyte each.
(func $head (param i32) (result i32)
  (drop (memory.grow (i32.const 32)))
  (loop (memory.fill (i32.const 4096) (i32.const 7) (i32.const 1048576)) (br 0))
  unreachable)

;; Grows its memory until it is refused, and then traps.
(func $head (param i32) (result i32)
  (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
  unreachable)
